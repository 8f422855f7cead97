#!/bin/sh
# .venv/bin/snakemake: Snakemake with its own packages only, whatever PYTHONPATH says. For a config
# file that doesn't exist Snakemake has only a traceback, so this looks first.
check() {
	test -e "$1" && return
	echo "snakemake: error: --configfile: '$1' doesn't exist; expected a config file." \
		"Targets go before --configfile" >&2
	exit 1
}
configs=
for word; do
	case $word in
	--configfile | --configfiles) configs=1 ;;
	--configfile=* | --configfiles=*) configs= && check "${word#*=}" ;;
	-*) configs= ;;
	*) test -z "$configs" || check "$word" ;;
	esac
done
bin=$(dirname "$(readlink -f "$0")")
sh "$bin/../../envs/check_cache.sh" || exit 1
exec "$bin/python" -I -m snakemake "$@"
