/**
 * Holds a user's seat at a soleseat broker, for as long as the program runs.
 *
 * <p>{@link io.soleseat.client.SeatClient} connects, keeps the seat, reconnects and says what happens.
 * {@link io.soleseat.client.MachineId} names this computer. All times that the library takes and gives are
 * {@link java.time.Duration} and {@link java.time.Instant}. No method and no event gives {@code null}.
 */
package io.soleseat.client;
