// What was typed, once the person has paused: so that a search is asked for once and not for every letter.
import { useEffect, useState } from 'react';

const pauseMs = 250;

export function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
