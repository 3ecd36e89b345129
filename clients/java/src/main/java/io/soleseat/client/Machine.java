package io.soleseat.client;

import java.util.Objects;
import java.util.Optional;

/**
 * This computer, as the broker and other people of the same user see it.
 *
 * @param id names the computer: stable and opaque, 1 to 128 bytes of UTF-8 without control characters.
 *     {@link MachineId#of} gives one
 * @param name what people call it, at most 128 bytes of UTF-8; the other machine's user reads it after a takeover
 * @param os the operating system, at most 128 bytes of UTF-8
 * @param kind what kind of computer it is
 */
public record Machine(String id, Optional<String> name, Optional<String> os, Optional<MachineKind> kind) {
  /**
   * Checks what the broker would refuse.
   *
   * @param id names the computer
   * @param name what people call it
   * @param os the operating system
   * @param kind what kind of computer it is
   * @throws IllegalArgumentException if a text is empty, too long or has control characters
   */
  public Machine {
    Texts.check("machine.id", id);
    Objects.requireNonNull(name, "name").ifPresent(text -> Texts.check("machine.name", text));
    Objects.requireNonNull(os, "os").ifPresent(text -> Texts.check("machine.os", text));
    Objects.requireNonNull(kind, "kind");
  }

  /**
   * A machine of which only the id is known.
   *
   * @param id as in {@link #Machine}
   * @return the machine
   * @throws IllegalArgumentException if the id is empty, too long or has control characters
   */
  public static Machine of(String id) {
    return new Machine(id, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * The same machine under another name, for example one that the person chose.
   *
   * @param newName as in {@link #Machine}
   * @return the machine with that name
   * @throws IllegalArgumentException if the name is empty, too long or has control characters
   */
  public Machine withName(String newName) {
    return new Machine(id, Optional.of(newName), os, kind);
  }
}
