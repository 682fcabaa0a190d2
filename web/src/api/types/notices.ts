/** Notices, the channels by which they leave the house, and who wants which. */

import type { Json, Locale, PersonRef } from "./base";

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
