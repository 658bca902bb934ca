# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of vethwall for bash. What can be completed is what the program's own help says, so that nothing here goes
# out of date; endpoints are those of the running agent, if one answers.

# The commands, a line each.
_vethwall_commands() {
        "$1" --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } !/^  / { on = 0 } on { print $1 }'
}

# The options of a command, or of all: "NAME VALUE", without VALUE where there is none.
_vethwall_options() {
        "$@" --help 2>/dev/null | awk '
                /^Options:/ { on = 1; next }
                on && /^ / {
                        i = $1 ~ /^-.,$/ ? 2 : 1
                        value = $(i + 1) ~ /^[A-Z]+$/ ? " " $(i + 1) : ""
                        print $i value
                        if (i == 2)
                                print substr($1, 1, 2) value
                }'
}

# What stands behind an option in the help: "text, json".
_vethwall_formats() {
        "$@" --help 2>/dev/null | sed -n 's/^ .*--output FORMAT *//p' | tr -d ','
}

# What --fail-on takes: "... --fail-on says (any, widen; else any)".
_vethwall_fail_on() {
        "$@" --help 2>/dev/null | tr '\n' ' ' | sed -n 's/.*--fail-on[^(]*(\([a-z, ]*\);.*/\1/p' | tr -d ','
}

_vethwall_rules() {
        "$1" lint --explain all 2>/dev/null | sed -n 's/^\(VW[0-9]*\) .*/\1/p'
        echo all
}

_vethwall_endpoints() {
        timeout --foreground 2 "$@" endpoints --color never 2>/dev/null </dev/null | sed -n 's/^\([[:alnum:]._-]*\/[[:alnum:]._-]*\) .*/\1/p'
}

# Files that may hold policies or an inventory, and directories.
_vethwall_files() {
        local file

        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$1" | while IFS= read -r file; do
                if [[ -d $file || $file == *.yaml || $file == *.yml || $file == *.json ]]; then
                        printf '%s\n' "$file"
                fi
        done)
}

_vethwall_words() {
        mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# The value of an option of that kind: _vethwall_value KIND WORD PROGRAM [COMMAND].
_vethwall_value() {
        local kind=$1 word=$2

        shift 2
        case $kind in
        PATH | FILE) _vethwall_files "$word" ;;
        FORMAT) _vethwall_words "$(_vethwall_formats "$@")" "$word" ;;
        WHEN) _vethwall_words 'auto always never' "$word" ;;
        WHAT) _vethwall_words "$(_vethwall_fail_on "$@")" "$word" ;;
        RULE) _vethwall_words "$(_vethwall_rules "$1")" "$word" ;;
        esac
}

# An operand, by what the usage line calls it.
_vethwall_operand() {
        local word=$1 number=$2 usage

        shift 2
        usage=$("${program[@]}" "$@" --help 2>/dev/null | sed -n '1s/^Usage: vethwall [a-z]* \[OPTION\.\.\.\] *//p')
        case $usage in
        SRC\ DST*)
                if ((number < 2)); then
                        _vethwall_words "$(_vethwall_endpoints "${program[@]}" "${socket[@]}")" "$word"
                else
                        _vethwall_words 'tcp/ udp/ sctp/ icmp' "$word"
                        compopt -o nospace
                fi
                ;;
        *PROTO/PORT*)
                _vethwall_words 'tcp/ udp/ sctp/ icmp' "$word"
                compopt -o nospace
                ;;
        *PATH* | *NEW*) _vethwall_files "$word" ;;
        esac
}

_vethwall() {
        local program=("${COMP_WORDS[0]/#\~/$HOME}") socket=() command='' operands=0 option='' kind i word
        local current=${COMP_WORDS[COMP_CWORD]} name value
        local -A kinds=()

        COMPREPLY=()
        while read -r name value; do
                kinds[$name]=$value
        done < <(_vethwall_options "${program[@]}")

        # The words before this one: which command it is, and whether an option waits for its value. bash makes a word of "=".
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ -n $option ]]; then
                        [[ $word != '=' ]] || continue
                        [[ $option != --socket ]] || socket=(--socket "$word")
                        option=''
                elif [[ $word == -?* ]]; then
                        [[ -z ${kinds[$word]-} ]] || option=$word
                elif [[ -z $command ]]; then
                        command=$word
                else
                        ((operands += 1))
                fi
        done
        [[ $current != '=' || -z $option ]] || current=''

        if [[ -n $option ]]; then
                kind=${kinds[$option]}
                _vethwall_value "$kind" "$current" "${program[@]}" ${command:+"$command"}
        elif [[ $current == -* ]]; then
                _vethwall_words "$(_vethwall_options "${program[@]}" ${command:+"$command"} | cut -d' ' -f1)" "$current"
        elif [[ -z $command ]]; then
                _vethwall_words "$(_vethwall_commands "${program[@]}") help" "$current"
        elif [[ $command == help ]]; then
                _vethwall_words "$(_vethwall_commands "${program[@]}")" "$current"
        else
                _vethwall_operand "$current" "$operands" "$command"
        fi
}

complete -F _vethwall vethwall
