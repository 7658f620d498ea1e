// Who is signed in: read once at the start, and again when something about the person changed.
import { useSuspenseQuery } from '@tanstack/react-query';
import { api } from './client.ts';
import type { Me } from './operations.ts';

export const meQuery = { ...api.one('/v1/me'), staleTime: Number.POSITIVE_INFINITY };

/** There is always somebody: without a sign-in nothing of the portal is drawn. */
export const useMe = (): Me => useSuspenseQuery(meQuery).data;
