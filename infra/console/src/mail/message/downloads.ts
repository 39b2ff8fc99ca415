/** Downloads: the API gives a short-lived address, and the browser goes there. */
import { useCallback, useState } from "react";
import { downloadAddress, type MessageName } from "../../api/messages";
import { useNotices } from "../../controls/notices";

/** How to download a message (`null`) or one of its attachments, and which is being asked for. */
export function useDownload({ accountId, messageId }: MessageName) {
  const { tellFailure } = useNotices();
  const [asked, setAsked] = useState<string | null | undefined>(undefined);
  const download = useCallback(
    async (attachmentId: string | null) => {
      setAsked(attachmentId);
      try {
        const link = document.createElement("a");
        link.href = await downloadAddress({ accountId, messageId }, attachmentId ?? undefined);
        link.rel = "noopener noreferrer";
        // Beside the app: here, what is no file would take its place, and a draft would have its leaving asked about. The
        // browser closes what only brings a file, but opens nothing long after the click.
        if (navigator.userActivation?.isActive !== false) link.target = "_blank";
        link.click();
      } catch (failure) {
        tellFailure(failure);
      } finally {
        setAsked(undefined);
      }
    },
    [accountId, messageId, tellFailure],
  );
  return { download, asked };
}
