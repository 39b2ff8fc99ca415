/** The present moment and the present day, for what is told by them: “two minutes ago”, “14:05” of today. */
import { useEffect, useState } from "react";

const EVERY_MS = 20_000;

/** The present moment; it moves on by itself. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(new Date()), EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

/** A moment of the present day: the same one all day long, so that what is drawn with it is drawn anew at midnight. */
export function useToday(): Date {
  const [today, setToday] = useState(() => new Date());
  useEffect(() => {
    const look = () => setToday((before) => (isToday(before) ? before : new Date()));
    const timer = window.setInterval(look, EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return today;
}

function isToday(moment: Date): boolean {
  return moment.toDateString() === new Date().toDateString();
}
