import type { EditBlock } from "../protocol/index.ts";
import { applyEdit, editState, placesOf, regionDiff } from "./edit.ts";
import type { EditSpec } from "./lesson.ts";
import type { Report } from "./report.ts";
import { type Fence, readFlag, readId, readText, reportUnknown } from "./step-fence.ts";

/**
 * Reads a fence with `edit=` and applies it to `files`, the lesson's files as they are at this place of the text; that
 * is how the linter knows that it fits.
 */
export function readEdit(
  fence: Fence,
  files: Map<string, string>,
  options: { readonly inSolution: boolean; readonly report: Report },
): EditSpec | undefined {
  const { attributes } = fence.info;
  const say = (message: string): void => options.report(fence.line, message);
  reportUnknown(attributes, "edit", ["edit", "id", "solution", "region"], say);
  const id = readId(attributes, "id", say);
  const file = readText(attributes, "edit", say)?.replace(/^files\//, "");
  const region = readText(attributes, "region", say);
  if (id === undefined || file === undefined) return undefined;
  if (region === null && fence.info.lang !== "diff") {
    say("an edit is a diff, or it names a region: ```diff edit=… or ```ts edit=… region=…");
    return undefined;
  }
  const before = files.get(file) ?? "";
  const diff = region === null ? fence.content : regionDiff(before, region, fence.content);
  if (diff === undefined) {
    say(`files/${file} has no lines "#region ${region}" … "#endregion"`);
    return undefined;
  }
  const solution = readFlag(attributes, "solution", say) || options.inSolution;
  const replacement = region === null ? null : fence.content;
  const edit: EditSpec = { id, file, diff, region, replacement, solution };
  prove(edit, files, say);
  return edit;
}

/** An edit has to be open before it is applied, and applied after. */
function prove(edit: EditSpec, files: Map<string, string>, say: (message: string) => void): void {
  const before = files.get(edit.file);
  if (before === undefined && !/^(?:\+.*\n)+$/.test(edit.diff)) {
    return say(`files/${edit.file} does not exist; a diff that makes a file has only + lines`);
  }
  const wrong =
    edit.region === null ? edit.diff.split("\n").find((line) => /^[^-+@ ]/.test(line)) : undefined;
  if (wrong !== undefined)
    return say(`a diff's lines start with a space, + or -, not "${wrong.slice(0, 40)}"`);
  const after = applyEdit(before ?? "", edit);
  const places = edit.region === null && before !== undefined ? placesOf(before, edit.diff) : 1;
  if (after === undefined || places !== 1) {
    return say(
      `the diff ${places > 1 ? `fits ${places} places of` : "does not apply to"} files/${edit.file}`,
    );
  }
  files.set(edit.file, after);
  if (editState(before ?? "", edit) !== "open" || editState(after, edit) !== "applied") {
    say("the edit can not be told from its result: give it a line of context on either side");
  }
}

export function editBlock(edit: EditSpec): EditBlock {
  const { id, file, diff, solution } = edit;
  return { kind: "edit", id, file, diff, solution };
}
