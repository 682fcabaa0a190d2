import { useQuery } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { api } from "../../api/client";
import type { Page } from "../../api/types";
import type { CalendarBrief, CalendarView, UnitCalendar } from "./calendar";

export const useCalendars = () =>
  useQuery({
    queryKey: ["calendars"],
    queryFn: ({ signal }) => api.get<Page<CalendarBrief>>("/calendars", {}, signal),
  });

export const useCalendar = (id: Ref<string>, version: Ref<number>) =>
  useQuery({
    queryKey: ["calendars", id, version],
    queryFn: ({ signal }) =>
      api.get<CalendarView>(`/calendars/${id.value}`, { version: version.value || null }, signal),
    enabled: computed(() => id.value !== ""),
  });

export const useUnitCalendars = () =>
  useQuery({
    queryKey: ["unit-calendars"],
    queryFn: ({ signal }) => api.get<Page<UnitCalendar>>("/unit-calendars", {}, signal),
  });
