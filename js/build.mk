# ---- The npm package: what of it is made, and not in the repository ----
.PHONY: pack prepack types
# npm runs prepack first.
pack:
	@mkdir -p build
	npm pack --pack-destination build

prepack: can-build-wasm dist/index.js types

# js/ is packed as dist/, without comments and indentation: each file by itself, but the command line, which nobody imports,
# is a file for each command and for what they share. Where a comment tells bundlers something, all is left as it stands.
JS_FILES := $(filter-out js/cli/% js/worker/command-worker.js js/worker/wasi-worker.js,$(wildcard js/*.js js/*/*.js))
JS_ANNOTATED := $(shell grep -l '@__PURE__\|webpackIgnore' $(JS_FILES))
JS_COPIED := js/protocols/script.wasm js/worker/node-entry.cjs js/worker/wasi-worker.js
# Names that only files of js/ know each other by, and no platform, user or message: dist/ has short ones for them, as bundlers
# cannot know that; a page saves 210 bytes of 6.3 KB. tests/package.test.js looks for them in what users see.
DIST_SHORT := abandon abandoned abilities allocate attach begin dead deliver eof explain extraInfo gather \
  growsInPlace holders instance isOpen later lend live looked lostBy macrotask made onempty \
  peek readError reading release requests scratch serving setReading setTimer shut step taken tellLost \
  thing things top turn waiting writing
space := $(subst ,, )
ESBUILD := npx esbuild --format=esm --charset=utf8 --log-level=warning \
  --mangle-props='^($(subst $(space),|,$(strip $(DIST_SHORT))))$$' --mangle-cache=build/short-names.json
dist/index.js: $(JS_FILES) $(JS_COPIED) $(shell find js/cli -type f) js/build.mk | node_modules/.package-lock.json
	rm -rf build/dist build/short-names.json js/.cli
	@mkdir -p build && echo '{}' >build/short-names.json
	@$(ESBUILD) $(JS_FILES) --outbase=js --outdir=build/dist # all at once: so names are the same in every file
	@$(ESBUILD) $(filter-out $(JS_ANNOTATED),$(JS_FILES)) --outbase=js --outdir=build/dist --minify-whitespace --line-limit=120 \
	  --allow-overwrite
	@$(ESBUILD) js/cli/towline.js --bundle --splitting --minify --line-limit=120 --platform=node --target=node20 \
	  --chunk-names=[name]-[hash] --outdir=js/.cli $(JS_FILES:%=--external:./%)
	mv js/.cli build/dist/cli
	cp -R js/cli/template build/dist/cli
	for f in $(JS_COPIED:js/%=%); do cp js/$$f build/dist/$$f; done
	rm -rf dist && mv build/dist dist
WASM_MODULES += dist/index.js

# The Worker for WASI commands, in one file with what it takes of a package, whose licence asks to be named.
WASI_SHIM := node_modules/@bjorn3/browser_wasi_shim
js/worker/wasi-worker.js: package-lock.json $(filter-out js/worker/wasi-worker.js,$(wildcard js/worker/*.js)) \
  | node_modules/.package-lock.json
	npx esbuild js/worker/command-worker.js --bundle --minify --format=iife --log-level=warning --outfile=$@ --banner:js="$$( \
	  printf '/*!\nMade of command-worker.js, with @bjorn3/browser_wasi_shim, which says:\n\n%s\n*/' \
	    "$$(cat $(WASI_SHIM)/LICENSE-MIT)")"
WASM_MODULES += js/worker/wasi-worker.js

.PHONY: can-build-wasm
can-build-wasm:
	@printf '#include <string.h>\nint main(void) { return 0; }\n' | $(WASI_CC) -x c - -o /dev/null 2>/dev/null || { \
	  echo 'towline: the package is built with clang, lld and wasi-libc, which do not work here ($(WASI_CC)):' \
	    'make deps installs them on Debian 12; WASI_SDK_PATH=... takes a wasi-sdk' >&2; exit 1; }

# One .d.ts for each file, less those that no entry of the package leads to, and less what they say twice.
TYPED := $(shell sed -n 's|^ *"js/\(.*\)\.js",\{0,1\}$$|build/types/\1.d.ts|p' tsconfig.types.json)
types: js/types/index.d.ts
js/types/index.d.ts: $(JS_FILES) tsconfig.json tsconfig.types.json js/build.mk
	@[ -x node_modules/.bin/tsc ] || { echo 'towline: the types are made by TypeScript: npm install' >&2; exit 1; }
	@mkdir -p build
	rm -rf build/types
	npx tsc -p tsconfig.types.json
	npx tsc --ignoreConfig --noEmit --strict --module nodenext --types node --listFiles $(TYPED) >build/types.txt
	for f in $$(find build/types -name '*.d.ts'); do grep -q "/$$f$$" build/types.txt || rm $$f; done
	find build/types -type d -empty -delete
	perl -0pi -e 's{^ */\*\*(?:(?!\*/).)*?\@(?:typedef|import)\b.*?\*/\n}{}gms;' \
	  -e 's{^ *\* \@(?:param|returns|template|override|extends)\b(?: \{[^\n]*\})?(?: \[?\w+\]?)?\n}{}gm;' \
	  -e 's{^ */\*\*\n *\*/\n}{}gm' $$(find build/types -name '*.d.ts')
	rm -rf js/types && mv build/types js/types
	@touch $@
