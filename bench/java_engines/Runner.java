import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;

/**
 * Threads that each drive one instance of `approval` after another to its end.
 *
 * <p>Arguments: JDBC address, user, password, model file, threads, seconds of warming up, seconds of the window. Prints
 * `begin` when it is warm, and then how many instances ended in the window, with the seconds it took.
 */
final class Runner {
  static final Map<String, Object> VARIABLES = Map.of("amount", 5000);

  /** An embedded engine. */
  interface Engine {
    /** Start an instance; gives its id. */
    String start();

    /** Complete the open task of an instance; false when there is none. */
    boolean completeTask(String instance);

    /** How many instances the history knows as ended. */
    long ended();

    void close();
  }

  /** Makes an engine on a database, with a model deployed. */
  interface Maker {
    Engine make(DataSource database, String modelFile);
  }

  static void run(String[] given, Maker maker) throws Exception {
    int threads = Integer.parseInt(given[4]);
    HikariConfig pool = new HikariConfig();
    pool.setJdbcUrl(given[0]);
    pool.setUsername(given[1]);
    pool.setPassword(given[2]);
    // Both engines draw blocks of numbers on a second connection while the first is held.
    pool.setMaximumPoolSize(threads + 8);
    pool.setAutoCommit(false);
    try (HikariDataSource database = new HikariDataSource(pool)) {
      Engine engine = maker.make(database, given[3]);
      ExecutorService clients = Executors.newFixedThreadPool(threads);
      long before = engine.ended();
      long warm = drive(engine, clients, threads, Double.parseDouble(given[5]));
      System.out.println("begin");
      System.out.flush();
      long wall = System.nanoTime();
      long cpu = cpu();
      long done = drive(engine, clients, threads, Double.parseDouble(given[6]));
      double wallSeconds = (System.nanoTime() - wall) / 1e9;
      double cpuSeconds = (cpu() - cpu) / 1e9;
      System.out.printf("{\"instances\": %d, \"wall\": %f, \"cpu\": %f}%n", done, wallSeconds, cpuSeconds);
      System.out.flush();
      clients.shutdown();
      if (engine.ended() != before + warm + done) {
        throw new IllegalStateException("the history does not hold what was driven");
      }
      engine.close();
    }
  }

  private static long drive(Engine engine, ExecutorService clients, int threads, double seconds) throws Exception {
    long until = System.nanoTime() + (long) (seconds * 1e9);
    Callable<Long> client =
        () -> {
          long done = 0;
          while (System.nanoTime() < until) {
            String instance = engine.start();
            int completed = 0;
            while (engine.completeTask(instance)) {
              completed++;
            }
            if (completed != 3) {
              throw new IllegalStateException(completed + " tasks instead of 3");
            }
            done++;
          }
          return done;
        };
    List<Callable<Long>> all = new ArrayList<>();
    for (int number = 0; number < threads; number++) {
      all.add(client);
    }
    long done = 0;
    for (Future<Long> one : clients.invokeAll(all)) {
      done += one.get();
    }
    return done;
  }

  private static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
