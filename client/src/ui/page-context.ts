import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Actions } from "../state/actions.ts";
import type { Store } from "../state/store.ts";

/** What every view gets: what is so, and what can be done. */
export interface Page {
  readonly store: Store;
  readonly actions: Actions;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error("A view was rendered outside PageContext.");
  return page;
}
