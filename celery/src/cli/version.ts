/** This package's version, and the release's name, as Celery shows them. Kept equal to package.json by a test. */
export const VERSION = "0.1.0";
export const VERSION_BANNER: string = `${VERSION} (playground)`;
