import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A `pre` that the keyboard can reach while it is wider than its box, and only then. */
export function ScrollPre(props: { class?: string; children: ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLPreElement>(null);
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const pre = ref.current;
    if (pre === null) return;
    const observer = new ResizeObserver(() => setWide(pre.scrollWidth > pre.clientWidth + 1));
    observer.observe(pre);
    return () => observer.disconnect();
  }, []);
  return (
    <pre ref={ref} class={props.class} tabIndex={isWide ? 0 : undefined}>
      {props.children}
    </pre>
  );
}
