import type { Json, PersonRef } from "./types";

/** An error answer of the server (RFC 9457 problem details), or the lack of any answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly details: Record<string, Json> = {},
    readonly requestId = "",
  ) {
    super(title || code);
    this.name = "Problem";
  }
}

function record(value: unknown): Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};
}

/** Read the body of an error answer; a body that is no problem document still gives a usable problem. */
export function problemFrom(status: number, body: unknown, requestId: string): Problem {
  const fields = record(body);
  const code = typeof fields.code === "string" ? fields.code : `http.${status}`;
  const title = typeof fields.title === "string" ? fields.title : "";
  const detail = typeof fields.detail === "string" ? fields.detail : "";
  const id = typeof fields.request_id === "string" ? fields.request_id : requestId;
  return new Problem(status, code, detail || title, record(fields.details), id);
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "client.unexpected", error instanceof Error ? error.message : String(error));
}

/** The key of the sentence for a problem in the locales; dots are the path separator there, so they become underscores. */
export function problemKey(code: string): string {
  return `errors.${code.replaceAll(".", "_")}`;
}

/** Why the server refused one field: a stable code with its parameters, and an English sentence. */
export interface FieldError {
  readonly code: string;
  readonly message: string;
  readonly details: Record<string, Json>;
}

/** Field errors of a refused form by the path of the field. */
export function fieldErrors(problem: Problem): Record<string, FieldError> {
  return Object.fromEntries(
    Object.entries(record(problem.details.fields)).map(([path, value]) => {
      const { code, message, details } = record(value);
      return [path, { code: String(code ?? ""), message: String(message ?? ""), details: record(details) }];
    }),
  );
}

/** Who got there first, when the server says so (`details.by`). */
export function doneBy(problem: Problem): PersonRef | null {
  const by = record(problem.details.by);
  return typeof by.name === "string" ? { id: String(by.id ?? ""), name: by.name } : null;
}

/** True when somebody else changed or closed the thing first. */
export function isConflict(problem: Problem): boolean {
  return problem.status === 409 || problem.status === 412;
}
