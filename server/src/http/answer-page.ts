/** A page of a few words, with no script and nothing from the request in it. */
export function answerPage(title: string, message: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Celery Playground</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 20vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.4rem; }
</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(message)}</p>
</html>
`;
}

/**
 * Leads from the start address to the page after a link on another site: the browser would count a redirected
 * request as that site's and keep the strict cookie back. This page asks by itself.
 *
 * @param location made by the gate: a path of ours and a query that was encoded again.
 */
export function hopPage(location: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Celery Playground</title>
<meta http-equiv="refresh" content="0; url=${escapeHtml(location)}">
<p><a href="${escapeHtml(location)}">Open the playground</a></p>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
