/** The address in what was pasted: phones share it with words around it, and people leave out how it begins. */
export function addressIn(pasted: string): string {
  const written = pasted.trim();
  const [whole] = /https?:\/\/\S+/i.exec(written) ?? [];
  return whole ?? (/^[\w-]+(\.[\w-]+)+(\/\S*)?$/.test(written) ? `https://${written}` : written);
}
