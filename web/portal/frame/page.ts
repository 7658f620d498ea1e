// How a part of the portal declares its pages: address, title, texts, who may see it, and its place in the navigation.
import type { TextId } from '@broadgate/languages/text-ids.ts';
import type { ComponentType } from 'react';

export type DeskName = 'delivery' | 'service' | 'compliance' | 'dealing' | 'diagnostics' | 'operations';

export interface Page {
  /** Path with `$name` parameters, e.g. `/statements/$statementId`. */
  readonly path: string;
  /** Text of the browser's tab and of the navigation, of the area `page`, which is read before any page is. */
  readonly titleId: Extract<TextId, `page.${string}`>;
  /** The catalogues whose texts it shows, beside `frame`, `design` and `refusal`. */
  readonly areas: readonly string[];
  /** Whom it is for: everybody signed in, clients, or the operators of these desks. NOTE: the server decides; this only hides links. */
  readonly who: 'everyone' | 'client' | readonly DeskName[];
  /** Its place in the navigation, from the first to the last; absent where a link on another page leads there. */
  readonly place?: number;
  /** The page itself, in a file of its own that is read when it is first opened. */
  load(): Promise<{ readonly default: ComponentType }>;
}

export interface Person {
  readonly kind: 'client' | 'operator';
  readonly desks: readonly string[];
}

/** Whether a person may see a page. */
export const isOpenTo = ({ who }: Page, { kind, desks }: Person): boolean =>
  who === 'everyone' || (who === 'client' ? kind === 'client' : who.some((desk) => desks.includes(desk)));
