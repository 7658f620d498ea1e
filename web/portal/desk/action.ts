// What a desk does with one press: sent once, what it touches read again, and a note that it was done.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useToast } from '../design/toasts.tsx';

interface Action<Input, Answer> {
  readonly act: (input: Input) => Promise<Answer>;
  /** Paths of the operations whose answers it changes. */
  readonly touches: RegExp;
  /** What is noted when it was done. */
  readonly done?: string;
  readonly onDone?: (answer: Answer) => void;
}

export function useAction<Answer, Input = void>({ act, touches, done, onDone }: Action<Input, Answer>) {
  const queryClient = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: act,
    onSuccess(answer) {
      if (done !== undefined) toast({ tone: 'good', text: done });
      onDone?.(answer);
    },
    // Also after a refusal: somebody else may have been quicker.
    onSettled: () => queryClient.invalidateQueries({ predicate: ({ queryKey }) => touches.test(String(queryKey[0])) }),
  });
}
