/** The mail accounts in their owner's order, which is also the order in which they are checked. */
import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  TouchSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Account, useAccounts } from "../api/accounts";
import { Appearance } from "../appearance/appearance";
import { Button } from "../controls/button";
import { Empty, Failed, Loading } from "../controls/states";
import { useWords } from "../language/language";
import { AccountRow } from "./account-row";
import { inOrder, useChooseDefault, useOrderAccounts } from "./account-verbs";
import styles from "./accounts-page.module.css";
import { ConsentOutcome } from "./consent-outcome";
import { Page, Section } from "./layout";
import { moved } from "./order";

export function AccountsPage() {
  const words = useWords();
  const list = words.settings.list;
  const accounts = useAccounts();
  const [, go] = useLocation();
  const add = (
    <Button kind="main" icon={<Plus size={18} aria-hidden="true" />} onClick={() => go("/settings/new")}>
      {list.add}
    </Button>
  );
  const some = accounts.data && accounts.data.length > 0;
  return (
    <Page title={words.settings.title} opening={some ? list.opening : undefined} action={some ? add : null}>
      <ConsentOutcome accountId={null} />
      {accounts.isPending ? <Loading /> : null}
      {accounts.isLoadingError ? <Failed failure={accounts.error} onRetry={() => void accounts.refetch()} /> : null}
      {accounts.data?.length === 0 ? (
        <div className={styles.empty}>
          <Empty title={list.emptyTitle}>
            <p>{list.empty}</p>
            {add}
          </Empty>
        </div>
      ) : null}
      {some ? <AccountList accounts={accounts.data} /> : null}
      <div className={styles.appearance}>
        <Section title={words.settings.sections.appearance}>
          <Appearance />
        </Section>
      </div>
    </Page>
  );
}

function AccountList({ accounts }: { accounts: Account[] }) {
  const list = useWords().settings.list;
  const order = useOrderAccounts();
  const choose = useChooseDefault();
  const [told, setTold] = useState("");
  // What was put down stays where it is while the API is asked, without a step back in between.
  const [wanted, setWanted] = useState<string[] | null>(null);
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(TouchSensor, { activationConstraint: { delay: 120, tolerance: 6 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const shown = wanted ? inOrder(accounts, wanted) : accounts;
  const ids = shown.map((account) => account.id);
  const place = (id: UniqueIdentifier) => ids.indexOf(String(id)) + 1;
  const name = (id: UniqueIdentifier) => accounts.find((account) => account.id === id)?.name ?? "";

  const putAt = (from: number, to: number) => {
    const next = moved(ids, from, to);
    setWanted(next);
    order(next, { onSettled: () => setWanted(null) });
  };
  const move = (from: number, to: number) => {
    if (from === to || from < 0 || to < 0) return;
    putAt(from, to);
    setTold(list.movedTo(shown[from]?.name ?? "", to + 1, ids.length));
  };
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over && active.id !== over.id) putAt(ids.indexOf(String(active.id)), ids.indexOf(String(over.id)));
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => list.pickedUp(name(active.id), place(active.id), ids.length),
    onDragOver: ({ active, over }) => (over ? list.overPlace(name(active.id), place(over.id), ids.length) : undefined),
    onDragEnd: ({ active, over }) => (over ? list.movedTo(name(active.id), place(over.id), ids.length) : undefined),
    onDragCancel: ({ active }) => list.putBack(name(active.id), place(active.id)),
  };
  return (
    <fieldset className={styles.list}>
      <legend className="visually-hidden">{list.defaultLegend}</legend>
      <DndContext
        sensors={sensors}
        collisionDetection={closestCenter}
        onDragEnd={onDragEnd}
        accessibility={{ announcements, screenReaderInstructions: { draggable: list.howToDrag } }}
      >
        <SortableContext items={ids} strategy={verticalListSortingStrategy}>
          <ul className={styles.rows}>
            {shown.map((account, index) => (
              <AccountRow
                key={account.id}
                account={account}
                place={index}
                of={accounts.length}
                onMove={move}
                onDefault={choose}
              />
            ))}
          </ul>
        </SortableContext>
      </DndContext>
      <p className="visually-hidden" role="status">
        {told}
      </p>
    </fieldset>
  );
}
