/** What is shown where a part of the console has failed to draw, in its place. */
import { Component, type ReactNode } from "react";
import { Button } from "../controls/button";
import { Empty } from "../controls/states";
import { useWords } from "../language/language";

interface Props {
  /** Another place is a new try. */
  place: string;
  children: ReactNode;
}

export class Guarded extends Component<Props, { failedAt: string | null }> {
  override state: { failedAt: string | null } = { failedAt: null };

  static getDerivedStateFromError(): { failedAt: string } {
    return { failedAt: "" };
  }

  override componentDidCatch(): void {
    this.setState({ failedAt: this.props.place });
  }

  override render(): ReactNode {
    const { failedAt } = this.state;
    return failedAt === null || (failedAt !== "" && failedAt !== this.props.place) ? this.props.children : <Broken />;
  }
}

function Broken() {
  const words = useWords();
  return (
    <main tabIndex={-1}>
      <Empty title={words.common.brokenPage}>
        <Button onClick={() => window.location.reload()}>{words.common.reload}</Button>
      </Empty>
    </main>
  );
}
