import type { Change, Json } from "../api/types";

function fields(json: Json): Record<string, Json> {
  return json !== null && typeof json === "object" && !Array.isArray(json) ? json : {};
}

/** The fields that differ between two recorded states, in alphabetical order; `null` stands for "was not there". */
export function differences(before: Json, after: Json): Omit<Change, "label">[] {
  const old = fields(before);
  const fresh = fields(after);
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])]
    .sort()
    .filter((name) => JSON.stringify(old[name] ?? null) !== JSON.stringify(fresh[name] ?? null))
    .map((name) => ({ name, before: old[name] ?? null, after: fresh[name] ?? null }));
}
