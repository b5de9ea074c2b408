# awk -f exports.awk [MAP] exports.txt: the exports of a module whose link map lists these symbols and object files; without
# a map, those that every module has. A line of the map ends with a symbol, or with ARCHIVE(OBJECT):(SECTION).
BEGIN { if (plain == "") linked["+framing"] = 1 }
FILENAME != "wasm/exports.txt" { split($NF, part, /[()]/); linked[$NF] = linked[part[2]] = 1; next }
/^#/ || NF == 0 { next }
{ for (i = 2; i <= NF; i++) if (!($i in linked)) next; print $1 }
