import type { PaneId } from "../protocol/index.ts";

export interface ShellScriptOptions {
  readonly pane: PaneId;
  /** Hex; marks carry it. */
  readonly secret: string;
  /** File that keeps the commands typed in this pane. */
  readonly history: string;
}

/** The prompt is the pane's name, dim, and `$`: green, or red after a command that failed. */
const PROMPT = { ok: "1;32", failed: "1;31" } as const;

/**
 * - `-ixon`: Ctrl-S, which many press to save, does not freeze the program.
 * - `noflsh`: Ctrl-C does not throw away output. Linux sends the signal first and empties the buffer then, and by then
 *   the shell may have said that the command ended: the pane would look busy for ever.
 *
 * @see Linux drivers/tty/n_tty.c, isig()
 */
const TERMINAL_SETTINGS = "stty -ixon iutf8 noflsh 2>/dev/null";

/**
 * For bash 3.2 and later, read before the first prompt. Nothing of the learner's own settings is: they would make
 * prompts, aliases and keys that a lesson does not know.
 *
 * A step's command is never looked at: bash itself says when one begins (`PS0`, before bash 4.4 the DEBUG trap) and
 * how it ended (`PROMPT_COMMAND`).
 *
 * Files that it inherited are closed first. node-pty leaves the other panes' terminals open to every process that is
 * started after them: a program could read and type there, and they would outlive the server.
 *
 * @see @lydell/node-pty 1.1.0: its terminals are opened without FD_CLOEXEC
 */
export function bashScript(options: ShellScriptOptions): string {
  const { pane, secret, history } = options;
  return `
export -n PROMPT_COMMAND
unset INPUTRC
unset -f command_not_found_handle 2>/dev/null
if [[ -d /proc/$$/fd ]]; then
  for __playground_file in /proc/$$/fd/*; do
    [[ \${__playground_file##*/} -lt 3 || $__playground_file -ef /proc/$$/fd/0 ]] || eval "exec \${__playground_file##*/}>&-"
  done
  unset __playground_file
fi
${TERMINAL_SETTINGS}
set +H
shopt -s histappend checkwinsize
HISTFILE=${quoted(history)} HISTSIZE=2000 HISTFILESIZE=2000 HISTCONTROL=ignoredups
history -c
history -r
bind 'set enable-bracketed-paste on' 2>/dev/null
bind 'set enable-active-region off' 2>/dev/null
bind 'set bell-style none'
bind 'set page-completions off'
bind 'set show-all-if-ambiguous on'
bind '"\\e[1;5C": forward-word'
bind '"\\e[1;5D": backward-word'
bind '"\\e[3~": delete-char'
__playground_began() {
  local command
  command=$(HISTTIMEFORMAT= builtin fc -ln -0 2>/dev/null)
  command=\${command:0:2000}
  builtin printf '\\033]133;C;key=${secret};%s\\a' "\${command//[[:cntrl:]]/ }"
}
__playground_ended() {
  local status=$?
  builtin printf '\\033]133;D;%s;key=${secret}\\a' "$status"
  if ((status == 0)); then __playground_colour='${PROMPT.ok}'; else __playground_colour='${PROMPT.failed}'; fi
  builtin history -a
  __playground_at_prompt=1
}
__playground_debug() {
  [[ -n $__playground_at_prompt && -z $COMP_LINE && $BASH_COMMAND != __playground_* ]] || return 0
  __playground_at_prompt=
  __playground_began
}
PS1='\\[\\e]133;A\\a\\e[2m\\]${pane}\\[\\e[0;\${__playground_colour}m\\] $ \\[\\e[0m\\e]133;B;key=${secret}\\a\\]'
PS2='\\[\\e[2m\\]>\\[\\e[0m\\] '
__playground_colour='${PROMPT.ok}'
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
  PS0='$(__playground_began)'
else
  trap __playground_debug DEBUG
fi
PROMPT_COMMAND=__playground_ended
builtin printf '\\033]133;P;key=${secret};%s;%s\\a' "$$" "$(tty 2>/dev/null)"
__playground_at_prompt=1
`.trimStart();
}

/** For zsh, as the `.zshrc` of a folder of our own. */
export function zshScript(options: ShellScriptOptions): string {
  const { pane, secret, history } = options;
  return `
unset ZDOTDIR
for __playground_file in /proc/$$/fd/*(N); do
  __playground_number=\${__playground_file:t}
  [[ \${__playground_file:A} != */ptmx ]] || exec {__playground_number}>&-
done
unset __playground_file __playground_number
${TERMINAL_SETTINGS}
HISTFILE=${quoted(history)} HISTSIZE=2000 SAVEHIST=2000
setopt INC_APPEND_HISTORY HIST_IGNORE_DUPS INTERACTIVE_COMMENTS
unsetopt BANG_HIST PROMPT_CR PROMPT_SP BEEP NOMATCH
bindkey -e
zle_highlight=(paste:none)
__playground_ended() { builtin printf '\\033]133;D;%s;key=${secret}\\a' "$?" }
__playground_began() { builtin printf '\\033]133;C;key=${secret};%s\\a' "\${\${1[1,2000]}//[[:cntrl:]]/ }" }
precmd_functions=(__playground_ended)
preexec_functions=(__playground_began)
PS1=$'%{\\e]133;A\\a\\e[2m%}${pane}%{\\e[0m%} %(?.%{\\e[${PROMPT.ok}m%}.%{\\e[${PROMPT.failed}m%})\\$%{\\e[0m%} %{\\e]133;B;key=${secret}\\a%}'
PS2=$'%{\\e[2m%}>%{\\e[0m%} '
builtin printf '\\033]133;P;key=${secret};%s;%s\\a' "$$" "$(tty 2>/dev/null)"
`.trimStart();
}

/** For a POSIX shell, which has nothing but its prompt to say how the last command ended, and cannot say that one begins. */
export function posixScript(options: ShellScriptOptions): string {
  const { pane, secret } = options;
  return `
unset ENV
${TERMINAL_SETTINGS}
__playground_bell=$(printf '\\007')
__playground_escape=$(printf '\\033')
__playground_mark="\${__playground_escape}]133;"
PS1='\${__playground_mark}D;$?;key=${secret}\${__playground_bell}${pane} $ \${__playground_mark}B;key=${secret}\${__playground_bell}'
PS2='> \${__playground_mark}B;k=s;key=${secret}\${__playground_bell}'
printf '\\033]133;P;key=${secret};%s;%s\\007' "$$" "$(tty 2>/dev/null)"
`.trimStart();
}

/**
 * Without a terminal: a loop that takes the names of files with commands from file descriptor 3 and runs each in
 * this same shell, so that `cd` and variables last. Errors go the same way as output, in order.
 */
export function pipesScript(options: ShellScriptOptions): string {
  const { pane, secret } = options;
  return `
exec 2>&1
__playground_mark() { printf '\\033]133;%s\\007' "$1"; }
__playground_colour='${PROMPT.ok}'
__playground_mark "P;key=${secret};$$;"
while :; do
  __playground_mark A
  printf '\\033[2m${pane}\\033[0;%sm $ \\033[0m' "$__playground_colour"
  __playground_mark 'B;key=${secret}'
  IFS= read -r __playground_file <&3 || exit 0
  __playground_text=$(cat "$__playground_file")
  printf '%s\\n' "$__playground_text"
  __playground_mark "C;key=${secret};$(printf %s "$__playground_text" | tr '\\000-\\037' ' ')"
  if "$SHELL" -n <"$__playground_file"; then
    . "$__playground_file" 3<&-
    __playground_status=$?
  else
    __playground_status=2
  fi
  if [ "$__playground_status" = 0 ]; then __playground_colour='${PROMPT.ok}'; else __playground_colour='${PROMPT.failed}'; fi
  __playground_mark "D;$__playground_status;key=${secret}"
done
`.trimStart();
}

/** A word for any shell, whatever is in it. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
