i=0; while [ $i -lt $mn ]; do i=$((i + 1)); eval "f=\$m$i"; file "$f" 262144; done
