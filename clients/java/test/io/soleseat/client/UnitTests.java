package io.soleseat.client;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Runs the unit tests: each method of these classes is one. Prints a line for each, and ends with 1 if one failed. */
public final class UnitTests {
  private static final List<Class<?>> CLASSES =
      List.of(
          BackoffTest.class,
          BrokerUrlTest.class,
          CausesTest.class,
          JsonTest.class,
          LeaseClockTest.class,
          LossTest.class,
          MachineIdTest.class,
          OptionsTest.class,
          SerialExecutorTest.class,
          ServerMessageReaderTest.class,
          SleepDetectorTest.class,
          TicketTest.class,
          TokenFetcherTest.class);

  public static void main(String[] arguments) {
    boolean haveAllPassed = true;
    for (Class<?> one : CLASSES) for (Method test : testsOf(one)) haveAllPassed &= passes(one, test);
    System.exit(haveAllPassed ? 0 : 1);
  }

  private static List<Method> testsOf(Class<?> one) {
    return Arrays.stream(one.getDeclaredMethods())
        .filter(method -> !Modifier.isPrivate(method.getModifiers()) && !method.isSynthetic())
        .sorted(Comparator.comparing(Method::getName))
        .toList();
  }

  private static boolean passes(Class<?> one, Method test) {
    String name = one.getSimpleName() + "." + test.getName();
    try {
      test.invoke(one.getDeclaredConstructor().newInstance());
      System.out.println("ok " + name);
      return true;
    } catch (InvocationTargetException failure) {
      System.out.println("not ok " + name + ": " + failure.getCause());
      failure.getCause().printStackTrace();
    } catch (ReflectiveOperationException unusable) {
      System.out.println("not ok " + name + ": " + unusable);
    }
    return false;
  }
}
