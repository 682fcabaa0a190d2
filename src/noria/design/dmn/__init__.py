"""DMN 1.5: decision tables with all hit policies, literal expressions and requirements, read and evaluated."""
