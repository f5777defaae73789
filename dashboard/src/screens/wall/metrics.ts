/** The metrics of one service, current while a component shows them. */

import { untracked, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ApiError, pathOf } from "../../data/api";
import { usePage } from "../../data/context";
import * as decode from "../../data/decode";
import { createResource, type Resource } from "../../data/resource";
import type { ServiceMetrics } from "../../data/types";

/** Latest values are fetched anew at most this often, however fast samples come. */
const EVERY_MS = 10_000;

export function useServiceMetrics(service: string): Resource<ServiceMetrics> {
  const { api, store } = usePage();
  const resource = useMemo(
    () =>
      createResource(async () => {
        if (service === "") return { service_name: "", metrics: [] };
        try {
          return decode.serviceMetrics(await api.get(pathOf("metrics", service)));
        } catch (error) {
          // A service that is known by its health alone has no metrics: no fault.
          if (error instanceof ApiError && error.status === 404) {
            return { service_name: service, metrics: [] };
          }
          throw error;
        }
      }),
    [api, service],
  );
  useEffect(() => {
    void resource.refresh();
  }, [resource]);
  const asked = useRef(0);
  useSignalEffect(() => {
    if (store.tick.value - asked.current < EVERY_MS) return;
    asked.current = store.tick.value;
    void untracked(resource.refresh);
  });
  return resource;
}
