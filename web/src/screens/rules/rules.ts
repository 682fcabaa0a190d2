import type { Finding, Json } from "../../api/types";

export interface Column {
  id: string;
  label: string;
  /** Of an input: what is tested. */
  expression: string;
  /** Of an output: what the result is called. */
  name: string;
  type: string;
  /** FEEL for the values it may have, "" for any. */
  allowed: string;
}

export interface Rule {
  /** "" for a row that is new. */
  id: string;
  inputs: string[];
  outputs: string[];
  note: string;
}

export interface RuleTable {
  hit_policy: string;
  aggregation: string;
  rules: Rule[];
}

export interface ProcessVersion {
  key: string;
  name: string;
  version: number;
}

export interface RulesBrief {
  decision: string;
  name: string;
  file: string;
  rows: number;
  hit_policy: string;
  processes: ProcessVersion[];
}

export interface RulesView {
  decision: string;
  name: string;
  file: string;
  /** Names the edition that is in force. */
  base: string;
  inputs: Column[];
  outputs: Column[];
  table: RuleTable;
  processes: ProcessVersion[];
  findings: Finding[];
}

export interface DecidedOtherwise {
  instance_id: string;
  business_key: string;
  title: string;
  at: string;
  before: Json;
  after: Json;
  rows_before: number[];
  rows_after: number[];
  went_to: string;
  would_go_to: string;
  notes: string[];
}

export interface RulesTrial {
  since: string;
  total: number;
  more: boolean;
  same: number;
  changed: number;
  elsewhere: number;
  cases: DecidedOtherwise[];
}

export const POLICIES = ["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"] as const;
export const AGGREGATIONS = ["", "SUM", "MIN", "MAX", "COUNT"] as const;

/** A copy that may be changed. */
export function copyOf(table: RuleTable): RuleTable {
  return {
    ...table,
    rules: table.rules.map((rule) => ({ ...rule, inputs: [...rule.inputs], outputs: [...rule.outputs] })),
  };
}

/** A table with an empty row at a place; it matches anything. */
export function withRow(table: RuleTable, at: number, view: Pick<RulesView, "inputs" | "outputs">): RuleTable {
  const fresh: Rule = {
    id: "",
    inputs: view.inputs.map(() => "-"),
    outputs: view.outputs.map(() => ""),
    note: "",
  };
  return { ...table, rules: [...table.rules.slice(0, at), fresh, ...table.rules.slice(at)] };
}

export function withoutRow(table: RuleTable, at: number): RuleTable {
  return { ...table, rules: table.rules.filter((_, n) => n !== at) };
}

/** A table with a row moved by so many places; it stays when there is no such place. */
export function withMoved(table: RuleTable, at: number, by: number): RuleTable {
  const to = at + by;
  const rule = table.rules[at];
  if (!rule || to < 0 || to >= table.rules.length) return table;
  const rules = table.rules.filter((_, n) => n !== at);
  rules.splice(to, 0, rule);
  return { ...table, rules };
}

export function withPolicy(table: RuleTable, policy: string): RuleTable {
  return { ...table, hit_policy: policy, aggregation: policy === "COLLECT" ? table.aggregation : "" };
}

export function differs(one: RuleTable, other: RuleTable): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

/** The parts of two results that differ, as people read them: name → before and after. */
export function changesOf(before: Json, after: Json): { name: string; before: Json; after: Json }[] {
  const isRecord = (json: Json): json is Record<string, Json> =>
    json !== null && typeof json === "object" && !Array.isArray(json);
  if (!isRecord(before) || !isRecord(after)) return [{ name: "", before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}
