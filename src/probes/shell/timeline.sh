# Who keeps the clock right. Nothing is asked beyond this machine.
if [ -e /run/systemd/timesync/synchronized ]; then value clock timesync
elif command -v chronyc >/dev/null && o=$(run chronyc -n tracking); then blob chronyc "$({ put "$o"; put x0; } | enc)"
elif command -v timedatectl >/dev/null; then output timedatectl 4096 timedatectl show -p NTP -p NTPSynchronized
elif command -v ntpq >/dev/null; then output ntpq 4096 ntpq -n -c 'rv 0 leap,stratum'
fi
# Where the journal is, and whether it is to be there.
for f in /var/log/journal /run/log/journal; do
  if [ -d "$f" ]; then value "$f" there
  elif [ ! -e "${f%/*}" ] || [ -x "${f%/*}" ]; then value "$f" absent; fi
done
set +f
set -- /etc/systemd/journald.conf /usr/lib/systemd/journald.conf.d/*.conf /run/systemd/journald.conf.d/*.conf \
  /etc/systemd/journald.conf.d/*.conf
set -f
w=
for f do [ ! -f "$f" ] || w="$w $f"; done
[ -z "$w" ] || output journald.conf 4096 grep -hE '^[[:space:]]*Storage=' $w
