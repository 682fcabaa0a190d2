"""Forms as JSON schema of form-js (schemaVersion 19): read, checked, and every submission validated by it."""

from noria.design.forms.schema import Field, Form, read_form
from noria.design.forms.validation import FieldError, FormResult

__all__ = ["Field", "FieldError", "Form", "FormResult", "read_form"]
