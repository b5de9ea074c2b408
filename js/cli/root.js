/** Where the package is: two folders up, be this a file of js/cli/ or in dist/cli/ a part of one. */
import { fileURLToPath } from 'node:url';

/** The path of a file of the package. @param {string} file */
export const ofPackage = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
