package io.soleseat.client;

/** What kind of computer a {@link Machine} is. An org may allow only some kinds. */
public enum MachineKind {
  /** A computer of its own. */
  PHYSICAL,
  /** A virtual machine. */
  VIRTUAL,
  /** A container. */
  CONTAINER;

  String wireName() {
    return switch (this) {
      case PHYSICAL -> "physical";
      case VIRTUAL -> "virtual";
      case CONTAINER -> "container";
    };
  }
}
