import { useQuery } from "@tanstack/vue-query";
import { api } from "../../api/client";
import type { AdminPerson, Page, Unit } from "../../api/types";

export const usePeople = () =>
  useQuery({
    queryKey: ["people"],
    queryFn: ({ signal }) => api.get<Page<AdminPerson>>("/admin/people", {}, signal),
  });

export const useUnits = () =>
  useQuery({
    queryKey: ["units"],
    queryFn: ({ signal }) => api.get<Page<Unit>>("/admin/units", {}, signal),
  });

export const useRoles = () =>
  useQuery({
    queryKey: ["roles"],
    queryFn: ({ signal }) => api.get<Page<string>>("/admin/roles", {}, signal),
  });
