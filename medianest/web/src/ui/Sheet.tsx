import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { say } from "../strings/door";
import { Icon } from "./Icon";

/** Something to settle before going on: from below on phones, in the middle elsewhere. Escape closes it. */
export function Sheet({
  title,
  lead,
  wide = false,
  onClose,
  children,
}: {
  readonly title: string;
  readonly lead?: string;
  readonly wide?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-30 bg-black/60" />
        <Dialog.Popup className={`${wide ? "md:w-[min(60rem,92vw)]" : "md:w-104"} fixed inset-x-0 bottom-0 z-40 max-h-[92dvh] overflow-y-auto overscroll-contain rounded-t-2xl border border-line bg-raised p-5 pb-[max(1.25rem,env(safe-area-inset-bottom))] shadow-2xl outline-none md:inset-x-auto md:top-1/2 md:bottom-auto md:left-1/2 md:-translate-1/2 md:rounded-2xl`}>
          <div className="mb-4 flex items-start justify-between gap-3">
            <div>
              <Dialog.Title className="text-lg font-semibold tracking-tight">{title}</Dialog.Title>
              {lead && <Dialog.Description className="mt-0.5 text-sm text-quiet">{lead}</Dialog.Description>}
            </div>
            <Dialog.Close aria-label={say.close} className="-m-2 grid size-10 place-items-center rounded-lg text-quiet hover:text-ink">
              <Icon name="close" />
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
