import { useQuery } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { api } from "../../api/client";
import type { AdminPerson, OrgChange, Page, Unit } from "../../api/types";

/** `at` is a date, "" for now. */
export const usePeople = (at: Ref<string>) =>
  useQuery({
    queryKey: ["people", at],
    queryFn: ({ signal }) => api.get<Page<AdminPerson>>("/admin/people", { at: at.value }, signal),
  });

export const useUnits = (at: Ref<string>) =>
  useQuery({
    queryKey: ["units", at],
    queryFn: ({ signal }) => api.get<Page<Unit>>("/admin/units", { at: at.value }, signal),
  });

export const useChanges = (kind: "people" | "units", subject: string) =>
  useQuery({
    queryKey: ["people", "changes", kind, subject],
    queryFn: ({ signal }) => api.get<Page<OrgChange>>(`/admin/${kind}/${subject}/changes`, {}, signal),
  });

export const useRoles = () =>
  useQuery({
    queryKey: ["roles"],
    queryFn: ({ signal }) => api.get<Page<string>>("/admin/roles", {}, signal),
  });
