/** Every address of the UI; medianest/api/pages.py answers them with the page. */
export const routes = {
  home: "/",
  signIn: "/sign-in",
  discover: "/discover",
  title: "/discover/:kind/:tmdb",
  requests: "/requests",
  request: "/requests/:request",
  downloads: "/downloads",
  notices: "/notices",
  library: "/library",
  libraryOf: "/library/:library",
  item: "/library/item/:item",
  services: "/services",
  devices: "/devices",
  help: "/help",
  spareKey: "/spare-key",
  admin: "/admin",
  adminPage: "/admin/:page",
} as const;

/** None of them: the server shows these itself (medianest/api/docs.py), once it is known who asks. */
export const REFERENCE: readonly string[] = ["/docs", "/docs/openapi.json", "/docs/asyncapi.json"];

export function titlePath(kind: string, tmdb: number): string {
  return `/discover/${kind}/${tmdb}`;
}

export function libraryPath(library: string): string {
  return `/library/${library}`;
}

export function itemPath(ratingKey: string): string {
  return `/library/item/${ratingKey}`;
}

export function requestPath(request: string): string {
  return `/requests/${request}`;
}
