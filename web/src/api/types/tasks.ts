/** Tasks: what is asked of somebody, what they may do, and what that would do. */

import type { ElementRef, Json, PersonRef, ProcessRef, SummaryEntry, Variables } from "./base";
import type { Change, InstanceStatus } from "./instances";
import type { FormSchema } from "./processes";

export type TaskStatus = "open" | "done" | "cancelled";
export interface Task {
  id: string;
  instance_id: string;
  business_key: string;
  process: ProcessRef;
  element: ElementRef;
  title: string;
  summary: SummaryEntry[];
  assignee: PersonRef | null;
  candidate_groups: string[];
  starter: PersonRef;
  created_at: string;
  due_at: string | null;
  /** The due date lies behind what its calendar knows of holidays. */
  due_provisional: boolean;
  overdue: boolean;
  priority: number;
  round: number;
  claimed_at: string | null;
  status: TaskStatus;
  done_at: string | null;
  version: number;
  is_approval: boolean;
  /** Only an opinion is asked for. */
  opinion: boolean;
  /** It may be agreed to together with others, unopened. */
  in_bulk: boolean;
  /** Who did it for the assignee, as a substitute. */
  proxy: PersonRef | null;
  /** For whom the reader does it, or did. */
  on_behalf_of: PersonRef | null;
}
/** What became, or would become, of one of several tasks; `refused` is the code of the reason why it is left out. */
export interface BulkResult {
  task: string;
  approved: boolean;
  /** Of a dry run: what would happen. */
  preview: Preview | null;
  refused: string;
  message: string;
  details: Record<string, Json>;
}
export interface BulkAnswer {
  results: BulkResult[];
  dry_run: boolean;
}
export type TaskAction =
  | "claim"
  | "unclaim"
  | "complete"
  | "approve"
  | "refuse"
  | "abstain"
  | "return"
  | "transfer"
  | "delegate"
  | "add"
  | "consult"
  | "answer"
  | "comment"
  | "urge";
export type Outcome = "approve" | "refuse" | "abstain";
export interface Seat {
  person: PersonRef | null;
  outcome: Outcome | "";
  open: boolean;
  panel: number;
  mode: ApprovalMode;
  weight: number;
  veto: boolean;
  added_by: PersonRef | null;
}
export type ApprovalMode = "allOf" | "anyOf" | "inTurn" | "vote";
export interface Approval {
  element: ElementRef;
  mode: ApprovalMode;
  share: number;
  count: number;
  seats: Seat[];
}
export interface Consultation {
  id: string;
  person: PersonRef;
  by: PersonRef;
  at: string;
  text: string;
}
/** A returned request on its way back to who returned it. */
export interface Comeback {
  by: PersonRef;
  element: ElementRef;
  straight: boolean;
  resubmits: boolean;
  changes: Change[];
}
export interface PreviewTask {
  element: ElementRef;
  assignee: PersonRef | null;
  groups: string[];
  round: number;
}
/** Who will probably be asked, and when, if all decide as hoped. */
export interface ForeseenPath {
  steps: {
    element: ElementRef;
    assignee: PersonRef | null;
    groups: string[];
    open: boolean;
    round: number;
    from_at: string | null;
    until_at: string | null;
  }[];
  complete: boolean;
  ends_at: string | null;
  refused: string;
}
/** What a verb would do, were it given now. */
export interface Preview {
  refused: string;
  message: string;
  details: Record<string, Json>;
  status: InstanceStatus;
  suspended: boolean;
  cancelled: PreviewTask[];
  opened: PreviewTask[];
  /** Open tasks that would be somebody else's. */
  handed: PreviewTask[];
  passed: { element: ElementRef; by: PersonRef | null; reason: string }[];
  stopped: ElementRef[];
  undone: ElementRef[];
  incidents: { element: ElementRef; code: string; message: string }[];
  notified: PersonRef[];
  again_at: string | null;
}
export interface LastReturn {
  by: PersonRef;
  at: string;
  reason: string;
  from: ElementRef;
}
export interface TaskDetail extends Task {
  form: FormSchema | null;
  data: Variables;
  returnable: { element: ElementRef; last_actor: PersonRef | null }[];
  allowed: TaskAction[];
  last_return: LastReturn | null;
  /** Whether the instance may be opened too. */
  instance_visible: boolean;
  /** Who has delegated the task and concludes it. */
  owner: PersonRef | null;
  approval: Approval | null;
  /** Opinions that are asked for. */
  consultations: Consultation[];
  comeback: Comeback | null;
}
export type TaskBox = "mine" | "group" | "done" | "queue";
export interface Counts {
  mine: number;
  group: number;
  done: number;
  started: number;
  notices: number;
  /** Tasks that an administrator must hand on. */
  queue: number;
}
