/** Requests: where they are, what happened to them, and the audit trail. */

import type { ElementRef, Json, PersonRef, ProcessRef, Variables } from "./base";
import type { Task } from "./tasks";

export type InstanceStatus = "open" | "completed" | "withdrawn" | "terminated" | "refused" | "voided" | "failed";
export interface Holder {
  element: ElementRef;
  assignee: PersonRef | null;
  groups: string[];
  since: string;
  due_at: string | null;
  due_provisional: boolean;
}
export interface InstanceBrief {
  id: string;
  business_key: string;
  title: string;
  process: ProcessRef;
  starter: PersonRef;
  status: InstanceStatus;
  started_at: string;
  ended_at: string | null;
  holders: Holder[];
  incidents: number;
  round: number;
}
export interface Incident {
  id: string;
  element: ElementRef;
  code: string;
  message: string;
  at: string;
  retries_left: number;
}
export interface Token {
  token: string | number;
  element: ElementRef;
  since: string;
  state: "active" | "waiting" | "incident";
}
export type InstanceAction =
  | "withdraw"
  | "void"
  | "restart"
  | "take_back"
  | "copy"
  | "urge"
  | "cancel"
  | "comment"
  | "suspend"
  | "resume"
  | "modify"
  | "correct";
export interface InstanceDetail extends InstanceBrief {
  variables: Variables;
  tokens: Token[];
  open_tasks: Task[];
  visited: { element_id: string; count: number }[];
  taken_flows: { flow_id: string; count: number }[];
  incidents_list: Incident[];
  allowed: InstanceAction[];
  version: number;
  suspended: boolean;
  /** While what somebody did is being taken back: what followed is undone first. */
  taking_back: { element: ElementRef; by: PersonRef } | null;
}
export interface Change {
  name: string;
  /** What forms call the field; "" when none does. */
  label: string;
  before: Json;
  after: Json;
}
export interface TimelineItem {
  seq: number;
  at: string;
  kind: string;
  actor: PersonRef | null;
  on_behalf_of: PersonRef | null;
  via: PersonRef[];
  element: ElementRef | null;
  text_key: string;
  params: Record<string, Json>;
  comment: string | null;
  round: number;
  changes: Change[];
  definition_version: number;
}
export interface FeedItem extends TimelineItem {
  instance_id: string;
  business_key: string;
}
export type AuditOutcome = "ok" | "refused" | "failed";
export interface AuditEntry {
  stream: string;
  seq: number;
  at: string;
  actor: PersonRef | null;
  /** For whom a substitute did it. */
  on_behalf_of: PersonRef | null;
  via: PersonRef[];
  action: string;
  object: { type: string; id: string };
  outcome: AuditOutcome;
  address: string;
  device: string;
  before: Json;
  after: Json;
  reason: string;
  hash: string;
  prev: string;
}
