import type { ButtonHTMLAttributes } from "react";

type Weight = "strong" | "plain" | "quiet" | "danger";

const LOOKS: Readonly<Record<Weight, string>> = {
  strong: "bg-call text-on-call hover:brightness-110",
  plain: "bg-sunken text-ink hover:bg-line",
  quiet: "text-quiet hover:bg-sunken hover:text-ink",
  danger: "bg-sunken text-bad hover:bg-line",
};

export function buttonLook(weight: Weight = "plain"): string {
  return (
    "inline-flex min-h-11 items-center justify-center gap-2 rounded-lg px-4 font-medium transition " +
    `disabled:opacity-60 md:min-h-10 ${LOOKS[weight]}`
  );
}

export function Button({
  weight = "plain",
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { readonly weight?: Weight }) {
  return <button type="button" {...rest} className={`${buttonLook(weight)} ${className}`} />;
}
