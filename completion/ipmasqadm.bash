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

# What the last of these words stands for: the name of an operand, or nothing if it may be an option.
_ipmasqadm_operand()
{
	local options=$1 last=$(($# - 2)) line words i

	shift
	local given=("$@")
	for ((i = last - 1; i > 1; i--)); do
		[[ ${given[i]} != -* ]] || break
	done
	while IFS= read -r line; do
		read -ra words <<<"$line"
		[[ ${words[0]} != "${given[i]}" ]] || printf '%s\n' "${words[last - i]}"
	done <<<"$options"
}

# Offers what the last of these words may become.
_ipmasqadm_offer()
{
	local program=$1 module=$2 cur=${*: -1} help options operand words

	if (($# == 2)); then
		help=$("$program" -h 2>/dev/null | sed -n 's/^  \([a-z0-9_]\{1,\}\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$help -h -V" -- "$cur")
		return
	fi
	help=$("$program" "$module" --help 2>/dev/null)
	options=$(_ipmasqadm_options <<<"$help")
	operand=$(_ipmasqadm_operand "$options" "$@")
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
}

# readline splits words at colons and at signs, too; an address is one word. Of that it replaces what is
# behind the last colon, $2.
_ipmasqadm()
{
	local line=${COMP_LINE:0:COMP_POINT} words prefix

	COMPREPLY=()
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=('')
	words[0]=$1
	_ipmasqadm_offer "${words[@]}"
	prefix=${words[-1]%"$2"}
	COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
} && complete -F _ipmasqadm ipmasqadm
