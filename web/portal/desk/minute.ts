// The present minute, for clocks that are shown: what depends on it is drawn again when it has passed.
import { useEffect, useState } from 'react';

const minuteMs = 60_000;

/** Units: ms since 1970. */
export function useMinute(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), minuteMs);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
