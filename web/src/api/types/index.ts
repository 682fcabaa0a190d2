/** The shapes of the REST interface, written by hand until they are generated from `/api/openapi.json`. */

export type * from "./base";
export type * from "./board";
export type * from "./desk";
export type * from "./instances";
export type * from "./notices";
export type * from "./operations";
export type * from "./people";
export type * from "./processes";
export type * from "./tasks";
