// After something was changed here, everything about delivery is read again at once, without waiting to be told.
import { useQueryClient } from '@tanstack/react-query';

export function useReadAgain(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () =>
    queryClient.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/v1/delivery') });
}
