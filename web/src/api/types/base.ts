/** What everything is made of: values, pages of lists, who is signed in. */

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
export interface Attachment {
  hash: string;
  name: string;
  size: number;
  media_type: string;
}
