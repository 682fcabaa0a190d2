/** The shapes of the REST interface, written by hand until they are generated from `/api/openapi.json`. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Variables = Record<string, Json>;
export type Locale = "zh-CN" | "en";

export interface Page<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}
export interface Named {
  id: string;
  name: string;
}
export type PersonRef = Named;
export type ElementRef = Named;
export interface Person extends PersonRef {
  unit: Named | null;
  roles: string[];
}
export interface Session {
  person: Person;
  permissions: string[];
  csrf_token: string;
  must_change_password: boolean;
  demo: boolean;
}
export interface DemoAccount {
  username: string;
  name: string;
  role: string;
  password: string;
}
export interface ProcessRef {
  key: string;
  name: string;
  version: number;
}
export interface SummaryEntry {
  name: string;
  label: string;
  value: Json;
}
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
export interface FormComponent {
  id?: string;
  type: string;
  key?: string;
  path?: string;
  label?: string;
  readonly?: boolean | string;
  disabled?: boolean;
  components?: FormComponent[];
  [property: string]: unknown;
}
export interface FormSchema {
  type: string;
  components: FormComponent[];
  [property: string]: unknown;
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
/** Somebody who acts for somebody else for a while. */
export interface Substitution {
  id: string;
  principal: PersonRef;
  substitute: PersonRef;
  since: string;
  until: string;
  processes: Named[];
  amount_max: number | null;
  state: "ahead" | "in_force" | "over";
  created_by: PersonRef;
  ended_at: string | null;
  /** Tasks that stay with the substitute. */
  kept: string[];
  /** Whether the substitute's own substitutes may act, too. */
  passes_on: boolean;
}
export interface ProcessItem {
  key: string;
  name: string;
  version: number;
  versions: number;
  startable: boolean;
  has_start_form: boolean;
  open_instances: number;
  open_tasks: number;
  overdue_tasks: number;
  incidents: number;
  deployed_at: string;
  deployed_by: PersonRef | null;
  documentation: string;
}
export type Severity = "error" | "warning" | "info";
export interface Finding {
  severity: Severity;
  code: string;
  message: string;
  file: string;
  line: number;
  element: string;
  details: Record<string, string>;
}
export interface ProcessDetail extends ProcessItem {
  elements: { id: string; name: string; kind: string }[];
  findings: Finding[];
}
export interface PlainModel {
  xml: string;
  findings: Finding[];
}
export interface ProcessVersion {
  version: number;
  deployed_at: string;
  deployed_by: PersonRef | null;
  open_instances: number;
}
export interface Deployment {
  id: string;
  deployed_at: string;
  processes: ProcessRef[];
  decisions: Named[];
  forms: string[];
  findings: Finding[];
}
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
  | "modify";
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
/** One change of where an instance is. */
export interface Move {
  kind: "start_before" | "start_after" | "cancel" | "move";
  element: string;
  to?: string;
}
export type PlanKind = "migrate" | "modify" | "suspend" | "resume" | "retry";
export interface Plan {
  kind: PlanKind;
  process: string;
  version?: number;
  to_version?: number;
  elements?: Record<string, string>;
  moves?: Move[];
  at?: string;
}
export interface PlanProblem {
  code: string;
  element: string;
  message: string;
  count: number;
  examples: string[];
}
export interface PlanResult {
  process: string;
  total: number;
  clean: number;
  mapped: number;
  impossible: number;
  problems: PlanProblem[];
}
export interface Batch {
  id: string;
  kind: PlanKind;
  process: string;
  by: Named;
  reason: string;
  created_at: string;
  ended_at: string | null;
  undone: boolean;
  total: number;
  waiting: number;
  done: number;
  refused: number;
  taken_back: number;
  kept: number;
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
export interface Attachment {
  hash: string;
  name: string;
  size: number;
  media_type: string;
}
export type NoticeKind =
  | "task"
  | "offered"
  | "assigned"
  | "reminder"
  | "overdue"
  | "urged"
  | "returned"
  | "mentioned"
  | "handed_back"
  | "taken_back"
  | "copied"
  | "consulted"
  | "answered"
  | "nobody"
  | "refused"
  | "completed"
  | "terminated"
  | "withdrawn";
export interface Notice {
  id: string;
  at: string;
  kind: NoticeKind;
  instance_id: string;
  task_id: string | null;
  title: string;
  params: Record<string, Json>;
  read_at: string | null;
}
export interface DurationStats {
  mean_ms: number;
  median_ms: number;
  p90_ms: number;
  count: number;
}
export type BoardRange = "today" | "7d" | "30d" | "90d";
export type BoardTime = "clock" | "working";
export interface BoardElement {
  id: string;
  name: string;
  kind: string;
  visits: number;
  open: number;
  overdue: number;
  returns: number;
  incidents: number;
  handling: DurationStats | null;
  waiting: DurationStats | null;
  working: DurationStats | null;
}
export interface BoardDay {
  day: string;
  started: number;
  completed: number;
  median_ms: number | null;
  p90_ms: number | null;
}
export interface Backlog {
  element: ElementRef;
  in_time: number;
  due_24h: number;
  overdue: number;
}
export interface Board {
  process: ProcessRef;
  range: { from: string; to: string };
  time: BoardTime;
  as_of_seq: number;
  simulated: boolean;
  tiles: {
    handling: DurationStats | null;
    cycle: DurationStats | null;
    backlog: {
      open: number;
      overdue: number;
      share: number | null;
      arrived: number;
      completed: number;
      days_to_clear: number | null;
    };
    errors: { incidents: number; returns: number; completed_tasks: number; share: number | null };
    throughput: { started: number; completed: number; per_day: number };
    on_time: { on_time: number; late: number; share: number | null };
  };
  elements: BoardElement[];
  flows: { id: string; count: number }[];
  series: BoardDay[];
  backlog_by_element: Backlog[];
}
export interface SecondManager {
  purpose: string;
  manager: Named;
}
export interface AdminPerson extends Person {
  username: string;
  email: string;
  active: boolean;
  position: string;
  posts: { unit: Named; position: string }[];
  lines: SecondManager[];
  /** The line of managers, the nearest first. */
  managers: Named[];
}
export interface Unit extends Named {
  /** Id of the unit above, "" for the top. */
  parent: string;
  /** Id of its manager, "" for none. */
  manager: string;
  acting: { person: string; since: string; until: string }[];
  lines: SecondManager[];
  active: boolean;
  /** Who manages it now. */
  head: Named | null;
}
/** What is wrong in a row of a file; row 0 is the whole table. */
export interface RowError {
  sheet: string;
  row: number;
  column: string;
  code: string;
  message: string;
  value: string;
}
export interface ImportedChange {
  kind: "person" | "unit";
  id: string;
  name: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
}
/** What an import would do, or has done. */
export interface ImportPreview {
  applied: boolean;
  valid_from: string;
  errors: RowError[];
  errors_total: number;
  added: ImportedChange[];
  changed: ImportedChange[];
  deactivated: ImportedChange[];
  unchanged: number;
}
/** Some fields of a person or unit that have these values from an instant on. */
export interface OrgChange {
  valid_from: string;
  ahead: boolean;
  fields: Record<string, Json>;
  recorded_at: string;
  by: Named | null;
}
export type ChannelKind = "email" | "webpush" | "wecom" | "dingtalk" | "feishu" | "webhook";
/** A channel as it is set up; `secrets` says which are set, never what they are. */
export interface Channel {
  id: string;
  kind: ChannelKind;
  name: string;
  enabled: boolean;
  language: Locale;
  kinds: NoticeKind[];
  groups: string[];
  settings: Record<string, string>;
  secrets: string[];
  host: string;
  waiting: number;
  dead: number;
}
export interface Delivery {
  id: string;
  channel: string;
  kind: NoticeKind;
  people: PersonRef[];
  instance_id: string;
  at: string;
  state: "waiting" | "sent" | "dead" | "dropped";
  attempts: number;
  error: string;
  next_at: string | null;
  sent_at: string | null;
}
export interface NoticePreference {
  language: Locale;
  zone: string;
  quiet_from: string;
  quiet_to: string;
  per_hour_max: number;
  handles: Record<string, string>;
  email: string;
  channels: { id: string; kind: ChannelKind; name: string }[];
  kinds: { kind: NoticeKind; urgent: boolean; channels: Record<string, boolean> }[];
}
/** A browser that the person is told by. */
export interface Device {
  id: string;
  name: string;
  service: string;
  created_at: string;
  used_at: string | null;
}
/** `public_key` is what a browser subscribes with, "" while there is no channel for it. */
export interface Devices {
  public_key: string;
  items: Device[];
}
/** Phrases for opinions. */
export interface Phrases {
  mine: string[];
  shared: string[];
}

export interface AccessToken {
  id: string;
  name: string;
  person: Named;
  created_at: string;
  expires_at: string;
  expired: boolean;
  used_at: string | null;
}
/** A token that has just been made, with its secret. */
export interface NewToken {
  token: AccessToken;
  secret: string;
}
export type ListName = "instances" | "tasks";
/** The parameters of a list that can be saved, in the server's own words. */
export interface FilterQuery {
  q?: string;
  process?: string;
  status?: string;
  box?: string;
  starter?: string;
  holder?: string;
  actor?: string;
  field?: readonly string[];
}
export interface FilterField {
  name: string;
  label: string;
  type: "text" | "number" | "date" | "bool";
  /** Value and what the form calls it. */
  choices: readonly (readonly [string, string])[];
}
export interface SavedFilter {
  id: string;
  list: ListName;
  name: string;
  query: FilterQuery;
  /** What of it means nothing any more. */
  problems: { parameter: string; given: string; code: string; message: string }[];
}
