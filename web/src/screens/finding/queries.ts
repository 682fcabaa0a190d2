import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api } from "../../api/client";
import type { FilterField, FilterQuery, ListName, SavedFilter } from "../../api/types";

export const useFilterFields = (process: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: ["filter-fields", computed(() => toValue(process))],
    queryFn: ({ signal }) =>
      api.get<{ items: FilterField[] }>("/filters/fields", { process: toValue(process) }, signal),
  });

export const useFilters = (list: ListName) =>
  useQuery({
    queryKey: ["filters", list],
    queryFn: ({ signal }) => api.get<{ items: SavedFilter[] }>("/filters", { list }, signal),
  });

/** Saving, renaming and deleting; the list of filters follows. */
export function useFilterActions(list: ListName) {
  const cache = useQueryClient();
  async function changed<T>(work: Promise<T>): Promise<T> {
    const done = await work;
    await cache.invalidateQueries({ queryKey: ["filters", list] });
    return done;
  }
  return {
    add: (name: string, query: FilterQuery) => changed(api.post<SavedFilter>("/filters", { list, name, query })),
    change: (id: string, name: string, query: FilterQuery) =>
      changed(api.put<SavedFilter>(`/filters/${id}`, { list, name, query })),
    drop: (id: string) => changed(api.delete<undefined>(`/filters/${id}`)),
  };
}
