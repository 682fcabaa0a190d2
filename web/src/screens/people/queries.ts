import { useQuery } from "@tanstack/vue-query";
import { toValue, type MaybeRefOrGetter } from "vue";
import { api } from "../../api/client";
import type { AdminPerson, Named, Page, Unit } from "../../api/types";

export const usePeople = (q: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: ["people", q],
    queryFn: ({ signal }) => api.get<Page<AdminPerson>>("/admin/people", { q: toValue(q), limit: 200 }, signal),
  });

export const useUnits = () =>
  useQuery({
    queryKey: ["units"],
    queryFn: ({ signal }) => api.get<Page<Unit>>("/admin/units", { limit: 200 }, signal),
  });

export const useRoles = () =>
  useQuery({
    queryKey: ["roles"],
    queryFn: ({ signal }) => api.get<Page<Named>>("/admin/roles", { limit: 200 }, signal),
  });
