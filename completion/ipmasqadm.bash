# SPDX-License-Identifier: GPL-2.0-or-later
#
# bash completion for ipmasqadm(8). It asks the program for its plugins and each plugin for its options,
# so that it knows what is installed, other people's plugins included.
# shellcheck shell=bash

# Reads a help text and writes its options, one a line, each with the names of what it takes:
# "-L LADDR LPORT".
_ipmasqadm_options()
{
	local line operands option='^  (-[^ ,]+)(, (-[^ ,]+))?(( +\[?[A-Z][A-Z:]+\]?)*)( |$)'

	while IFS= read -r line; do
		[[ $line =~ $option ]] || continue
		operands=${BASH_REMATCH[4]}
		printf '%s\n' "${BASH_REMATCH[1]}$operands"
		[[ -z ${BASH_REMATCH[3]} ]] || printf '%s\n' "${BASH_REMATCH[3]}$operands"
	done
}

# What the word at the cursor stands for: the name of an operand, or nothing if it may be an option.
_ipmasqadm_operand()
{
	local i=$((COMP_CWORD - 1)) line words

	while ((i > 1)) && [[ ${COMP_WORDS[i]} != -* ]]; do
		((i--))
	done
	while IFS= read -r line; do
		read -ra words <<<"$line"
		[[ ${words[0]} != "${COMP_WORDS[i]}" ]] || printf '%s\n' "${words[COMP_CWORD - i]}"
	done <<<"$1"
}

_ipmasqadm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} help options operand words

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		help=$("$1" -h 2>/dev/null | sed -n 's/^  \([a-z0-9_]\{1,\}\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$help -h -V" -- "$cur")
		return
	fi
	help=$("$1" "${COMP_WORDS[1]}" --help 2>/dev/null)
	options=$(_ipmasqadm_options <<<"$help")
	operand=$(_ipmasqadm_operand "$options")
	case $operand in
	PROTO)
		words='tcp udp'
		[[ $help != *tcp,udp* ]] || words+=' tcp,udp'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	HELPER)
		mapfile -t COMPREPLY < <(compgen -W 'ftp tftp irc sip pptp h323' -- "$cur")
		return
		;;
	WHO)
		mapfile -t COMPREPLY < <(compgen -W 'inside own' -- "$cur")
		return
		;;
	LADDR)
		words=$(printf '%s\n' /sys/class/net/* | sed 's|.*/|@|')
		mapfile -t COMPREPLY < <(compgen -A hostname -W "$words" -- "$cur")
		return
		;;
	*ADDR | HOST)
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
		return
		;;
	*PORT)
		mapfile -t COMPREPLY < <(compgen -A service -- "$cur")
		return
		;;
	'' | \[*) ;; # none, or one that may be left out
	*)
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$options")" -- "$cur")
	# save and restore
	if [[ $cur != -* && $help == *FILE* ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
	fi
} && complete -F _ipmasqadm ipmasqadm
