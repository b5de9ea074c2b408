# awk -f exports.awk MAP exports.txt: the exports of a module whose link map lists these symbols and object files. A line
# ends with a symbol, or with ARCHIVE(OBJECT):(SECTION).
FILENAME != "wasm/exports.txt" { split($NF, part, /[()]/); linked[$NF] = linked[part[2]] = 1; next }
/^#/ || NF == 0 { next }
{ for (i = 2; i <= NF; i++) if (!($i in linked)) next; print $1 }
