import { asProblem, type Problem } from "../../api/problems";

export interface BulkResult {
  readonly done: string[];
  readonly refused: { readonly id: string; readonly problem: Problem }[];
}

/** Do the same thing to several tasks, one after the other; one refusal does not stop the rest, and each is named. */
export async function forEach(ids: readonly string[], act: (id: string) => Promise<unknown>): Promise<BulkResult> {
  const result: BulkResult = { done: [], refused: [] };
  for (const id of ids) {
    try {
      await act(id);
      result.done.push(id);
    } catch (error) {
      result.refused.push({ id, problem: asProblem(error) });
    }
  }
  return result;
}
