/** The present moment, for what is told as “two minutes ago”: it moves on by itself. */
import { useEffect, useState } from "react";

const EVERY_MS = 20_000;

export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(new Date()), EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
