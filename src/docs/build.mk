# ---- The reference: build/docs/index.html, by Doxygen from the headers and by TypeDoc from the package's types ----
.PHONY: docs docs-c docs-js
docs: docs-c docs-js
	cp src/docs/index.html build/docs

docs-c:
	@mkdir -p build/docs
	doxygen src/docs/Doxyfile

build/typedoc/node_modules/.package-lock.json: src/docs/package-lock.json
	@mkdir -p build/typedoc
	cp .npmrc src/docs/package.json src/docs/package-lock.json build/typedoc
	npm ci --prefix build/typedoc --ignore-scripts --no-audit --no-fund
	@touch $@

# A name for another file's type is that type, for its reader.
docs-js: node_modules/.package-lock.json build/typedoc/node_modules/.package-lock.json
	rm -rf build/typedoc/types
	npx tsc -p tsconfig.types.json --outDir build/typedoc/types >&2
	find build/typedoc/types -name '*.d.ts' | xargs sed -i -E \
	  "s|^export type (\w+) = import\('([^']*)'\)\.(\w+);|import type { \3 as \1 } from '\2'; export type { \1 };|"
	node src/docs/entries.js build/typedoc
	build/typedoc/node_modules/.bin/typedoc --options src/docs/typedoc.json >&2
